-- Search: trigrams of names (typing errors, parts of words, Korean as well as English), and full text of everything that is said
-- about a record. The indexes follow from the field tables and are laid after the migrations. The functions of pg_trgm are found
-- by the search path of all sessions, which is this schema.

do $$
declare
	elsewhere text;
begin
	select n.nspname into elsewhere
	from pg_extension e join pg_namespace n on n.oid = e.extnamespace
	where e.extname = 'pg_trgm' and n.nspname <> 'lodebase';
	if found then
		raise exception 'the extension pg_trgm is in schema %; run: alter extension pg_trgm set schema lodebase', elsewhere;
	end if;
	create extension if not exists pg_trgm with schema lodebase;
end
$$;

-- Every word of a text as the beginning of a word that is to be there; `between` is & (all of them) or | (any).
create function search_words(q text, between_words text) returns tsquery
language sql immutable
set search_path = pg_catalog
as $$
	select coalesce(string_agg('''' || replace(replace(w, '\', '\\'), '''', '''''') || ''':*', between_words)::tsquery, ''::tsquery)
	from unnest(tsvector_to_array(to_tsvector('simple'::regconfig, q))) w
$$;

-- A text as a pattern that finds it anywhere, in any case: scripts that write without blanks have no beginnings of words.
create function search_pattern(q text) returns text
language sql immutable
set search_path = pg_catalog
as $$ select '%' || replace(replace(replace(q, '\', '\\'), '%', '\%'), '_', '\_') || '%' $$;
