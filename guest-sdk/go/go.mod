module spanway

go 1.24
