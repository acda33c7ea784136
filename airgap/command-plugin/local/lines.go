package local

import (
	"bytes"
	"strings"
	"sync"
)

// lineWriter passes what is written to emit line by line, of whatever length.
type lineWriter struct {
	emit    func(string)
	partial []byte
}

func (w *lineWriter) Write(data []byte) (int, error) {
	w.partial = append(w.partial, data...)
	for {
		end := bytes.IndexByte(w.partial, '\n')
		if end < 0 {
			return len(data), nil
		}
		w.emit(strings.TrimSuffix(string(w.partial[:end]), "\r"))
		w.partial = w.partial[end+1:]
	}
}

// flush emits a last line that had no newline.
func (w *lineWriter) flush() {
	if len(w.partial) > 0 {
		w.emit(string(w.partial))
		w.partial = nil
	}
}

// lockedBuffer takes writes from the two goroutines that copy stdout and stderr, in the order in which they come.
type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(data)
}
