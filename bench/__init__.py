"""`python -m bench`: the speed of the servers of this course, as ratios to production servers."""
