ByJ0' 0‰¥QK*l,VoftN
S0¨"oK¨<JPG¯–+1:L;
mO3