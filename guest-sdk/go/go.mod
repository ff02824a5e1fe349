module spanmux

go 1.24
