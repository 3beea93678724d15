"""Make the weights of the open edition: from congress and from networks that anyone may use."""
