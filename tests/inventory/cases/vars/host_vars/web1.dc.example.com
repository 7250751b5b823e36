dotted: name
