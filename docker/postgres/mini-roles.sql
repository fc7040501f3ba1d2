-- Run once in the container of the mini database, behind init.sh: the roles that own bases, write rows and only look (docs/OPERATIONS.md).
create role mini_owner nologin;
create role mini_app nologin;
create role mini_readonly nologin;
grant mini_owner to live_tables with inherit false, set true;
grant mini_app to live_tables with inherit true, set true;
grant mini_readonly to live_tables with inherit false, set true;
