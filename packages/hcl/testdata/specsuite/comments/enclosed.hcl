/* over
   several # lines
   // with other signs * in it */
