package slacktest

import "bytes"

// HoldsFile says whether a message shows an uploaded file with these bytes, and what it shows in words.
func (s *Server) HoldsFile(m Message, data []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range m.Blocks {
		o, _ := b.(map[string]any)
		f, _ := o["slack_file"].(map[string]any)
		if x := s.files[str(f["id"])]; x != nil && bytes.Equal(x.data, data) && str(o["alt_text"]) != "" {
			return true
		}
	}
	return false
}
