-- What questions about supply read: a mineral's figures of one stage, kind and year, and its newest year.
create index supply_figure_question_idx on supply_figure (mineral_id, stage, kind, year);
create index supply_figure_past_question_idx on supply_figure_past (mineral_id, stage, kind, year);
