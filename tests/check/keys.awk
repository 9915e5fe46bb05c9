# The keys as the manual has them, out of `machdeck help keys`: a section a screen, two lines a key.

function roff(text)
{
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	gsub(/~/, "\\(ti", text)
	gsub(/\^/, "\\(ha", text)
	gsub(/'/, "\\(aq", text)
	return text
}

/^Marks$/ { exit }
/^[A-Z]/ { print ".SS " roff($0) }
/^  / {
	split(substr($0, 3), field, /  +/)
	print ".IP \"\\fB" roff(field[1]) "\\fR\" 8"
	print "\\fI" roff(field[2]) "\\fR: " roff(field[3])
}
