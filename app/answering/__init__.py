"""A company answers a letter by the link in it: a page of ours, without account or script."""
