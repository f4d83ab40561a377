module github.com/vexobj/vexobj/sdks/go

go 1.23
