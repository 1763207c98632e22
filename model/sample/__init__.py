"""A small part of Fashion-MNIST that ships with the project, and the program that draws it."""
