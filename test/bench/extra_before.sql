-- A BEFORE trigger on ledger_events: the ordinary way.
CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER user_before BEFORE INSERT ON escrowgrid.ledger_events FOR EACH ROW EXECUTE FUNCTION public.keep();
