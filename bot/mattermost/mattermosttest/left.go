package mattermosttest

import "slices"

// Left is what an admin would find again of what was made by the API: active people and bots but those who stay, teams that are
// not archived, and slash commands.
func (s *Server) Left(stay ...string) (left []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, u := range s.users {
		if u.deleted == 0 && !slices.Contains(stay, id) {
			left = append(left, "user "+u.Name)
		}
	}
	for _, t := range s.teams {
		if len(t.members) > 0 { // an archived one has none left
			left = append(left, "team "+t.name)
		}
	}
	for _, ch := range s.channels {
		if ch.deleted == 0 && ch.team != "" {
			left = append(left, "channel "+ch.name)
		}
	}
	for _, c := range s.commands {
		left = append(left, "command "+c.trigger)
	}
	slices.Sort(left)
	return left
}
