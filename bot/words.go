package bot

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

var (
	errTooLong = errors.New("the reply is too long")
	errTooMany = errors.New("the reply has too many parts")
)

// clean makes people's words safe to keep: NFC, one kind of line break, no control, bidirectional or zero-width
// characters, no trailing space. What remains is exactly what its author sees.
func clean(s string) string {
	if len(s) > 16*MaxReplyBytes { // refused for its length anyway; spare the work
		s = s[:16*MaxReplyBytes]
	}
	s = strings.ToValidUTF8(s, "")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u00a0':
			return ' '
		case r == '\u200d': // joins emoji; stripped where a text is quoted
			return r
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf):
			return -1
		}
		return r
	}, s)
	s = norm.NFC.String(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRightFunc(line, unicode.IsSpace)
	}
	s = strings.TrimSpace(strings.Join(lines, "\n"))
	for strings.Contains(s, "\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n", "\n\n")
	}
	if strings.Trim(s, "\u200d \n") == "" {
		return ""
	}
	return s
}

// fits says whether a cleaned reply may be kept (DESIGN 11). Longer is refused, never cut.
func fits(s string) error {
	if len(s) > MaxReplyBytes || utf8.RuneCountInString(s) > MaxReplyRunes {
		return errTooLong
	}
	return nil
}

// cleanLine is clean for one short line of at most max bytes; what is longer is refused.
func cleanLine(s string, max int) (string, error) {
	s = strings.Join(strings.Fields(clean(s)), " ")
	if len(s) > max {
		return "", errTooLong
	}
	return s, nil
}
