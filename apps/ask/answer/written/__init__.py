"""What was written and said: lines of a form, all lines in order, screens of slides, who made what, credits."""
