"""What must be so before a case is accepted: the data of the gates, and the licences we hold."""
