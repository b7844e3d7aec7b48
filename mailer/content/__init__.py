"""What we say: subject, body and pictures, in versions that never change once written."""
