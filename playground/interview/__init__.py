"""The interview: a bank of questions, each bound to evidence that runs on this machine."""
