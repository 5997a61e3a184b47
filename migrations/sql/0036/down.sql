DROP TABLE paper_classes;
DROP TABLE proof_ties;
DROP TABLE case_paper_files;
DROP TABLE case_papers;
