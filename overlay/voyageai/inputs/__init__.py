"""From what users pass to what is sent: checked, and in the contract's form."""
