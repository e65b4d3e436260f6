"""Forms: what a person typed, read into values, and the forms that were carried out."""
