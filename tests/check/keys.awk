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

BEGIN {
	print "C\\- is the Ctrl key. machdeck.conf(5) tells how an action gets other keys; the help screen shows those."
}
/^Marks$/ {
	print ".PD"
	exit
}
/^[A-Z]/ { print ".PD\n.SS " roff($0) "\n.PD 0" }
/^  / {
	split(substr($0, 3), field, /  +/)
	print ".IP \"\\fB" roff(field[1]) "\\fR\" 8"
	print "\\fI" roff(field[2]) "\\fR: " roff(field[3])
}
