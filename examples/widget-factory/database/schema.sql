CREATE TABLE orders (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  widget text NOT NULL,
  count integer NOT NULL,
  placed timestamptz NOT NULL DEFAULT now()
);
