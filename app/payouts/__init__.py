"""What goes out: consumers' accounts, payments, batches and bank files."""
