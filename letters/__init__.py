"""What a letter says (`content`) and what it looks like (`render`, in a child process).

A leaf package: it imports nothing else of the project, and `content` needs only the standard
library, so that the API process can build letters without loading the PDF engine.
"""
