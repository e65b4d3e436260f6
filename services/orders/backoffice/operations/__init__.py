"""Operations: data of its pages on services, queues, parked messages and the auditor's findings."""
