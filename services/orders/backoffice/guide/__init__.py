"""The merchant's guide: one page per task, with the labels of the pages it describes."""
