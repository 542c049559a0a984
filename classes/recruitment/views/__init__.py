"""Pages: the public's, the applicant's, the institution's desk, and the office's two looks."""
