"""What is wrong with a pipeline before it runs: rules over the compiled file and over the source, without a cluster."""
