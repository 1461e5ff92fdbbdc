-- An AFTER ROW trigger on ledger_events that inserts into an outbox.
CREATE TABLE public.outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, position_id text, kind text, payload jsonb);
CREATE FUNCTION public.post() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.outbox (position_id, kind, payload) VALUES (NEW.position_id, NEW.kind, NEW.payload);
    RETURN NULL;
END $$;
CREATE TRIGGER user_outbox AFTER INSERT ON escrowgrid.ledger_events FOR EACH ROW EXECUTE FUNCTION public.post();
