DROP TABLE notice_entries;
