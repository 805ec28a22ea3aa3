"""What images are labelled by: attributes, their texts, and label vectors."""
