"""A local page on which a user moves a model's parameters and sees what the data say."""
