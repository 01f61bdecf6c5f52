"""What we expect: how many will come, and which records a check would find irregular."""
