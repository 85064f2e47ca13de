"""The devices room: emulators and serial ports behind one interface."""
