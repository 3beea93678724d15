"""Values of params.yaml as its files hold them, not checked: nested, by dotted keys, with an overlay over them."""
