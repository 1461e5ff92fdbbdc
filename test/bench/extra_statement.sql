-- A statement trigger on ledger_events: the ordinary way.
CREATE FUNCTION public.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER user_statement AFTER INSERT ON escrowgrid.ledger_events FOR EACH STATEMENT EXECUTE FUNCTION public.look();
