-- Schemas. Nothing is granted to PUBLIC anywhere; each role gets usage of what it works with.
CREATE SCHEMA IF NOT EXISTS ops;
CREATE SCHEMA raw;
CREATE SCHEMA app;
CREATE SCHEMA secret;
CREATE SCHEMA authz;
CREATE SCHEMA facts;
CREATE SCHEMA marts;

ALTER DEFAULT PRIVILEGES FOR ROLE zrg_owner REVOKE ALL ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE zrg_owner REVOKE ALL ON TYPES FROM PUBLIC;

GRANT USAGE ON SCHEMA ops TO zrg_worker, zrg_build, zrg_receiver, zrg_analyst, zrg_web, zrg_monitor, zrg_migrator;
GRANT USAGE ON SCHEMA raw TO zrg_worker, zrg_receiver;
GRANT USAGE ON SCHEMA app TO zrg_worker, zrg_build, zrg_web;
GRANT USAGE ON SCHEMA secret TO zrg_worker;
GRANT USAGE ON SCHEMA facts TO zrg_worker, zrg_build, zrg_analyst;
GRANT USAGE ON SCHEMA marts TO zrg_worker, zrg_build, zrg_analyst;
