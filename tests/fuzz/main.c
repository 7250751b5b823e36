/* main.c - feeds the files named on the command line to a fuzz harness, for compilers without
 * libFuzzer. */
#include <stdio.h>

#include "lib/base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct err err = ERR_INIT;
        struct str text;

        str_init(&text, STR_MAX_TEXT);
        if (file_read(argv[i], &text, &err) < 0) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)text.buf, text.len);
        str_release(&text);
    }
    return 0;
}
