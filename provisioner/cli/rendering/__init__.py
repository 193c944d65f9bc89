"""How results are shown: one file for each thing and form. Strings only; nothing here looks or acts."""
