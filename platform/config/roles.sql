-- The four logins of one schema (docs/decisions/0003-database-roles.md). A superuser runs this once per
-- cluster, before the database is made; running it again changes nothing. What each login may do to which
-- table is granted after migrations by config/grants.py.
do $$
declare
    login text;
begin
    foreach login in array array['yuchuang_owner', 'yuchuang_app', 'yuchuang_supervision', 'yuchuang_looks'] loop
        if not exists (select from pg_roles where rolname = login) then
            execute format('create role %I login', login);
        end if;
    end loop;
    if not exists (
        select from pg_db_role_setting join pg_roles on pg_roles.oid = setrole
        where rolname = 'yuchuang_supervision' and 'default_transaction_read_only=on' = any (setconfig)
    ) then
        alter role yuchuang_supervision set default_transaction_read_only = on;
    end if;
end
$$;
