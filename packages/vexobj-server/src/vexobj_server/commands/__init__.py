"""What each `vexobj` command does; the arguments are read in `vexobj_server.__main__`."""
