"""For those who teach the course: plans, speaker notes, slides, and the evening before."""
