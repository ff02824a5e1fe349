module selector

go 1.24
