"""Operations tagged `batches`: `cancel_batch`, `create_batch`, `list_batches`, `retrieve_batch`."""
