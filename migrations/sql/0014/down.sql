DROP TABLE post_watch;
