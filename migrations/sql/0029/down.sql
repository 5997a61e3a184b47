DROP TABLE mandate_documents;
