package bot

// RhythmName is one of the rhythms a team can keep (DESIGN 3).
type RhythmName string

// The rhythms.
const (
	RhythmWeekly      RhythmName = "weekly"
	RhythmFourBeat    RhythmName = "four-beat"
	RhythmFortnightly RhythmName = "fortnightly"
	RhythmMonthly     RhythmName = "monthly"
	RhythmTalkOnly    RhythmName = "talk-only"
	RhythmCustom      RhythmName = "custom"
)

// Length is a stretch of time in a setting: whole days, counted on the calendar, or hours and minutes.
type Length string
