-- A CHECK constraint on positions that calls a user's SQL function.
CREATE FUNCTION public.is_round(amount numeric) RETURNS boolean LANGUAGE sql AS 'SELECT amount = trunc(amount, 2)';
ALTER TABLE escrowgrid.positions ADD CONSTRAINT user_round CHECK (public.is_round(released_amount));
