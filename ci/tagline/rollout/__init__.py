"""How a canary takes traffic in steps: the evidence, the rule, and a machine that outlives its process."""
