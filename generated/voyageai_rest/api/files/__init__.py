"""Operations tagged `files`: `delete_file`, `delete_files`, `list_files`, `retrieve_file`, `retrieve_file_content`, `upload_file`."""
