"""What the pages of operations show: the services, their queues, what is parked, what the auditor found."""
